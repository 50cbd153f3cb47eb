"""The scoring service: what a CRM asks over HTTP, and what it is answered."""
