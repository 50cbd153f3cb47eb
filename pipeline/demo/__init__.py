"""Write a made-up CRM whose true probabilities are known, for the demo and the tests."""
