"""The generator of lane loops: straight-line physics of one pixel, written out for many."""
