"""The commands: their arguments and options. What one does is in the module of `ablation.cli` that it imports late.

running     a study: run, plan, status, explain, retry, stop
reading     what was found: report, compare
keeping     stores, folders and files: sync, clean, ui, schema, components, init
serving     the machine and its services: doctor, up, down
"""
