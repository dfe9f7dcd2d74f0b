"""Settings of the property tests."""

from hypothesis import settings

# The same cases in every run, and no deadline: shared machines are slow now and then.
# To look for new cases: pytest --hypothesis-profile=explore
settings.register_profile("book", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("book")
