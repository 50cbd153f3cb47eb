"""One value of a field or a time, as files, requests and configuration all read it."""
