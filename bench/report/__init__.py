"""The result on paper: machine, Markdown, JSON and a picture."""
