"""The whole job: from a study file to a report, as a list of stages."""
