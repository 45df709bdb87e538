"""What every page stands on: guarded pages, forms, templates, languages, assets, headers."""
