"""Guest engines: each folder holds one library and is imported only by who needs it."""
