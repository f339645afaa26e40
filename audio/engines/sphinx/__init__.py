"""pocketsphinx as a streaming recogniser in worker processes: `pool.SphinxPool` is the door.

Kept empty of imports: the worker process imports this package and must start in no time.
"""
