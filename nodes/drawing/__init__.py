"""Regions as they are given: shapes, boxes, tables, masks and painted pictures, read and checked, and told about."""
