"""What a patient can order now, for the page where medicines are chosen."""
