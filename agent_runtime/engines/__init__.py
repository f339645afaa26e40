"""Language-model engines behind the engine port; each knows the port and values, never the session's inside."""
