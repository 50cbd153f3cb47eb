"""How the outside reaches the product: the command line and HTTP."""
