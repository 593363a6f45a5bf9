"""Examples to packed rows and batches."""
