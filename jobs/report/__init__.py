"""What a run leaves behind: the tables, the metrics, the model, the page."""
