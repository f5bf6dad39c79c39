"""One package per stage of the lifecycle.

Each offers the same few names: ``Inputs`` (what it takes), ``Output`` (what it gives), ``run(inputs, emit)`` (does it,
and says what to log), ``card(inputs, output)`` (the page that a person reads), ``table(output)`` (the same for a
notebook), and ``to_dict(output)`` with ``from_dict`` (what is kept with the run, so that nothing has to run twice).
None imports MLflow, and none imports another.
"""
