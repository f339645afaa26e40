"""A server that speaks an OpenAI protocol, whatever it is asked for: `line.Line` is the door.

Kept empty of imports: the official client is an extra.
"""
