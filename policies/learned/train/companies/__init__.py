"""Training calls of the second scenario: the agent rings a company's customer line for a customer."""
