"""Migrations of the host's own tables."""
