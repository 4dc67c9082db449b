# OpenFHE where it comes nearest to our sets: log2 Q 620 (60 + 14 x 40 bits, 3 digits) at N = 2^15, 1299 (60 + 21 x 59, 4 digits) at N = 2^16.
from openfhe import *


def measure(log_n, depth, first, scale, digits):
    p = CCParamsCKKSRNS()
    p.SetSecurityLevel(SecurityLevel.HEStd_NotSet)
    p.SetRingDim(1 << log_n)
    p.SetBatchSize(1 << (log_n - 1))
    p.SetMultiplicativeDepth(depth)
    p.SetFirstModSize(first)
    p.SetScalingModSize(scale)
    p.SetNumLargeDigits(digits)
    p.SetScalingTechnique(ScalingTechnique.FLEXIBLEAUTO)
    cc = GenCryptoContext(p)
    for feature in (PKESchemeFeature.PKE, PKESchemeFeature.KEYSWITCH, PKESchemeFeature.LEVELEDSHE, PKESchemeFeature.ADVANCEDSHE):
        cc.Enable(feature)
    keys = cc.KeyGen()
    cc.EvalMultKeyGen(keys.secretKey)
    cc.EvalRotateKeyGen(keys.secretKey, [1])
    values = [(i % 100) / 100 for i in range(1 << (log_n - 1))]
    plain = cc.MakeCKKSPackedPlaintext(values)
    fresh = cc.Encrypt(keys.publicKey, plain)
    # Lower levels: the last limbs are dropped.
    for share in (1, 2 / 3, 1 / 3):
        limbs = round((depth + 1) * share)
        x = cc.Compress(fresh, limbs)
        weight = cc.MakeCKKSPackedPlaintext(values, 1, depth + 1 - limbs)
        at = ("OpenFHE", log_n, first + (limbs - 1) * scale)
        row(*at, "rotation", lambda: cc.EvalRotate(x, 1))
        precomputed = cc.EvalFastRotationPrecompute(x)
        row(*at, "hoisting, once", lambda: cc.EvalFastRotationPrecompute(x))
        row(*at, "hoisted rotation, each", lambda: cc.EvalFastRotation(x, 1, 4 << (log_n - 1), precomputed))
        row(*at, "product with relinearisation", lambda: cc.EvalMult(x, x))
        row(*at, "plain product", lambda: cc.EvalMult(x, weight))
        row(*at, "sum", lambda: cc.EvalAdd(x, x))
    top = ("OpenFHE", log_n, first + depth * scale)
    row(*top, "encode", lambda: cc.MakeCKKSPackedPlaintext(values), 5)
    row(*top, "encode and encrypt", lambda: cc.Encrypt(keys.publicKey, cc.MakeCKKSPackedPlaintext(values)), 5)
    low = cc.Compress(fresh, 2)
    row("OpenFHE", log_n, first + scale, "decrypt and decode", lambda: cc.Decrypt(low, keys.secretKey), 5)
    steps = iter(range(2, 100))  # A key that exists is not made again.
    row(*top, "rotation key", lambda: cc.EvalRotateKeyGen(keys.secretKey, [next(steps)]), 5)


measure(15, 14, 60, 40, 3)
measure(16, 21, 60, 59, 4)
