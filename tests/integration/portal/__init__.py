"""The portal on a running stack, asked over HTTP as a browser asks it."""
