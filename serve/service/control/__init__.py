"""Control routes, health, and the OpenAPI document."""
