"""Four real nodes with faults injected by a seeded schedule, recovered by the runbook alone.

``schedule`` says what goes wrong, ``faults`` does it, ``reading`` says what an output asks for,
``operating`` does that, ``judging`` says at the end what is missing, ``report`` writes it down.
"""
