# TenSEAL ends at N = 2^14 with 128 bits for a chain of this shape: 60 + 7 x 40 + 60 bits, one of them special.
import tenseal as ts

context = ts.context(ts.SCHEME_TYPE.CKKS, 1 << 14, coeff_mod_bit_sizes=[60] + [40] * 7 + [60])
context.global_scale = 2**40
values = [(i % 100) / 100 for i in range(1 << 13)]
x = ts.ckks_vector(context, values)

at = ("TenSEAL", 14, 340)
row(*at, "product, relinearised and rescaled", lambda: x * x)
row(*at, "plain product, encoded and rescaled", lambda: x * values)
row(*at, "encode and encrypt", lambda: ts.ckks_vector(context, values))
row(*at, "decrypt and decode", lambda: x.decrypt())
