"""The independent model: mtp_model.py, the few functions that its verifier defines for itself, and web_proxy_model.py as `web`."""
import ast
import base64
import ipaddress
import os
import struct
import sys

web = None  # where the model has no WEB proxy yet

_FROM_VERIFIER = ('decide', 'parse_cfg', 'parse_secret')


def load(folder):
    """Makes everything in the model an attribute of this module."""
    if not os.path.exists(os.path.join(folder, 'mtp_model.py')):
        sys.exit(f'no mtp_model.py in {folder}: name its folder')
    sys.path.insert(0, folder)
    import mtp_model
    globals().update({name: value for name, value in vars(mtp_model).items() if not name.startswith('__')})

    if os.path.exists(os.path.join(folder, 'web_proxy_model.py')):
        import web_proxy_model
        globals().update(web=web_proxy_model)

    # The verifier runs when it is imported, so its functions are taken out of its text.
    with open(os.path.join(folder, 'verify_vectors.py'), encoding='utf-8') as file:
        tree = ast.parse(file.read())
    wanted = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in _FROM_VERIFIER]
    globals().update(X=bytes.fromhex, struct=struct, base64=base64, ipaddress=ipaddress)
    exec(compile(ast.Module(wanted, []), 'verify_vectors.py', 'exec'), globals())
