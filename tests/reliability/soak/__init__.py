"""A day of the service in some minutes, with its store gone for a while."""
