"""Clicks and boxes to the mask of one object."""
