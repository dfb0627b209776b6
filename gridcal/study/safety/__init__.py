"""What keeps users, their files and their machines from harm: places, records, own files, cluster options, patience."""
