"""The commands: their arguments and options. What one does is in the module of `ablation.cli` that it imports late.

driving     a study: run, plan, status, explain, retry, extend, confirm, stop
finding     what was found: report, compare
exporting   a trained model, out of its study: export, predict
keeping     stores, folders and files: sync, clean, ui, schema, components, init
serving     the machine and its services: doctor, up, down
"""
