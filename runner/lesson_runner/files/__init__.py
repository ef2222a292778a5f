"""Reading and writing files: plain files, files that may be a stranger's, evidence, canonical JSON."""
