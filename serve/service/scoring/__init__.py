"""From a decoded request to an answer."""
