"""What a request holds, decoded and checked."""
