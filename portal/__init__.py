"""The portal: the web application in front of the four services, for everybody who uses them."""
