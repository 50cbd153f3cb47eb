"""Values of fields and times: files, requests and the configuration read them alike."""
