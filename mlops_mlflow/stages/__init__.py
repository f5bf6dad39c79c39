"""One package per stage of the lifecycle.

Each offers the same few names: ``Inputs`` (what it takes), ``Output`` (what it gives), ``run(inputs, emit)`` (does it,
and says what to log), ``card(inputs, output)`` (the page that a person reads) and ``table(output)`` (the same for a
notebook). None imports MLflow, and none imports another.
"""
