"""Who is logged in at which browser, and what they typed before their session was over."""
