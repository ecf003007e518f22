"""The application that issues prescriptions."""
