"""The processes of the service: supervisor, workers, follower of the registry."""
