# OpenFHE at log2 Q = 620 in three digits: the nearest it comes to n15-q630-p237 (N = 2^15, 60 + 14 x 40 bits).
from openfhe import *

p = CCParamsCKKSRNS()
p.SetSecurityLevel(SecurityLevel.HEStd_NotSet)
p.SetRingDim(1 << 15)
p.SetBatchSize(1 << 14)
p.SetMultiplicativeDepth(14)
p.SetFirstModSize(60)
p.SetScalingModSize(40)
p.SetNumLargeDigits(3)
p.SetScalingTechnique(ScalingTechnique.FLEXIBLEAUTO)
cc = GenCryptoContext(p)
for feature in (PKESchemeFeature.PKE, PKESchemeFeature.KEYSWITCH, PKESchemeFeature.LEVELEDSHE, PKESchemeFeature.ADVANCEDSHE):
    cc.Enable(feature)
keys = cc.KeyGen()
cc.EvalMultKeyGen(keys.secretKey)
cc.EvalRotateKeyGen(keys.secretKey, [1])
values = [(i % 100) / 100 for i in range(1 << 14)]
plain = cc.MakeCKKSPackedPlaintext(values)
x = cc.Encrypt(keys.publicKey, plain)

LIBRARY, PARAMETERS = "OpenFHE", "2^15, 60 + 14 x 40, 3 digits"
row("rotation", lambda: cc.EvalRotate(x, 1))
row("product with relinearisation", lambda: cc.EvalMult(x, x))
row("plain product", lambda: cc.EvalMult(x, plain))
row("sum", lambda: cc.EvalAdd(x, x))
row("encode", lambda: cc.MakeCKKSPackedPlaintext(values), 5)
row("encrypt", lambda: cc.Encrypt(keys.publicKey, plain), 5)
row("decrypt and decode", lambda: cc.Decrypt(x, keys.secretKey), 5)
steps = iter(range(2, 100))  # A key that exists is not made again.
row("rotation key", lambda: cc.EvalRotateKeyGen(keys.secretKey, [next(steps)]), 5)
