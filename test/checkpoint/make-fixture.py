"""Writes small.pt as torch.save does, with Python's own pickler, without PyTorch.

Stand-ins for torch's modules give the pickle its real names; storages become persistent ids.
"""
import argparse, collections, io, pickle, struct, sys, types, zipfile

def module(name):
    return sys.modules.setdefault(name, types.ModuleType(name))

torch, utils = module('torch'), module('torch._utils')
torch._utils = utils
for kind in ('Float', 'Half', 'BFloat16', 'Long', 'Bool'):
    setattr(torch, kind + 'Storage', type(kind + 'Storage', (), {'__module__': 'torch'}))

def function(name):
    def f(*args):
        raise RuntimeError('not called here')
    f.__name__ = f.__qualname__ = name
    f.__module__ = 'torch._utils'
    setattr(utils, name, f)
    return f

rebuild, parameter = function('_rebuild_tensor_v2'), function('_rebuild_parameter')

class Storage:
    def __init__(self, kind, key, data, count):
        self.kind, self.key, self.data, self.count = kind, key, data, count

class Tensor:
    def __init__(self, storage, shape, strides=None, offset=0):
        dense, n = [], 1
        for d in reversed(shape):
            dense.insert(0, n)
            n *= d
        self.args = (storage, offset, shape, strides or tuple(dense), False, collections.OrderedDict())
    def __reduce__(self):
        return rebuild, self.args

class Parameter:
    def __init__(self, tensor):
        self.tensor = tensor
    def __reduce__(self):
        return parameter, (self.tensor, True, collections.OrderedDict())

class Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, Storage):
            return ('storage', getattr(torch, obj.kind + 'Storage'), obj.key, 'cpu', obj.count)

storages = []
def storage(kind, code, values):
    s = Storage(kind, str(len(storages)), struct.pack('<%d%s' % (len(values), code), *values), len(values))
    storages.append(s)
    return s

def bf16(values):
    return [struct.unpack('<I', struct.pack('<f', v))[0] >> 16 for v in values]

grid = storage('Float', 'f', [float(i) for i in range(12)])
model = collections.OrderedDict()
model['weight'] = Tensor(grid, (3, 4))
model['transposed'] = Parameter(Tensor(grid, (4, 3), (1, 4)))
model['row'] = Tensor(grid, (4,), (1,), 4)
model['half'] = Tensor(storage('Half', 'e', [0.5, -2.0, 65504.0]), (3,))
model['brain'] = Tensor(storage('BFloat16', 'H', bf16([1.0, -0.25])), (2,))
model['scalar'] = Tensor(storage('Float', 'f', [7.0]), ())
model['blocks.0.w'] = Tensor(storage('Float', 'f', [1.0, 2.0]), (2,))
model['blocks.1.w'] = Tensor(storage('Float', 'f', [3.0, 4.0]), (2,))
model._metadata = collections.OrderedDict(version=1)
ema = {'module.' + k: v for k, v in model.items()}
root = {
    'model': model,
    'ema': ema,
    'opt': {'state': {0: {'step': 5, 'exp_avg': Tensor(grid, (12,))}}, 'param_groups': [{'lr': 1e-4, 'params': [0], 'foreach': None}]},
    'args': argparse.Namespace(model='tiny', seed=2 ** 40, flag=True),
    'steps': Tensor(storage('Long', 'q', [9, -1]), (2,)),
    'mask': Tensor(storage('Bool', '?', [True, False]), (2,)),
}
for protocol, method, name in ((2, zipfile.ZIP_STORED, 'small.pt'), (4, zipfile.ZIP_DEFLATED, 'small-deflated.pt')):
    text = io.BytesIO()
    Pickler(text, protocol=protocol).dump(root)
    with zipfile.ZipFile(name, 'w', method) as z:
        z.writestr('archive/data.pkl', text.getvalue())
        z.writestr('archive/byteorder', 'little')
        for s in storages:
            z.writestr('archive/data/' + s.key, s.data)
        z.writestr('archive/version', '3\n')
