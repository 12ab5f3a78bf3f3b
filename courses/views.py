def home_context(r): return {}
