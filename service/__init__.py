"""When it is done: process life, polling, claims, retries, the command line.

service/app.py is the only composition root.
"""
