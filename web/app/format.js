// Numbers as people read them.

const number = (digits) => new Intl.NumberFormat("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** 104_200_000 → "104.2 MB". */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  if (count < 1e6) return `${number(count < 1e4 ? 1 : 0).format(count / 1e3)} kB`;
  return `${number(count < 1e7 ? 2 : 1).format(count / 1e6)} MB`;
}

/** 0.4213 → "42.1 %"; what rounds to nothing is still something. */
export function percent(share) {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return `${number(1).format(share * 100)} %`;
}

/** 13.4 → "13 s", 95 → "1 min 35 s". */
export function duration(seconds) {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** 3.71 → "3.7 s", 0.0312 → "31 ms". */
export function precise(seconds) {
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  return seconds < 60 ? `${number(1).format(seconds)} s` : duration(seconds);
}

/** " at 45 MB/s", or nothing where nobody knows. */
export function rate(bytesPerSecond) {
  if (!Number.isFinite(bytesPerSecond)) return "";
  const rounded = number(bytesPerSecond < 1e7 ? 1 : 0).format(bytesPerSecond / 1e6);
  return ` at ${rounded} MB/s`;
}

/** 0.00183 → "0.0018", 530_000_000 → "5.3 × 10⁸". */
export function magnitude(value) {
  if (value < 1e6) return new Intl.NumberFormat("en", { maximumSignificantDigits: 2 }).format(value);
  const [mantissa, exponent] = value.toExponential(1).split("e+");
  return `${mantissa} × 10${[...exponent].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("")}`;
}

/** How long ago a time in milliseconds was: "12 minutes ago". */
export function age(time) {
  const seconds = Math.max(0, (Date.now() - time) / 1000);
  const [unit, size] = [["day", 86_400], ["hour", 3600], ["minute", 60]].find(([, size]) => seconds >= size) ?? [];
  if (unit === undefined) return "just now";
  return new Intl.RelativeTimeFormat("en").format(-Math.floor(seconds / size), unit);
}

/** "9f3a11c0…" → "9f3a 11c0 …". */
export function groups(digits) {
  return digits.match(/.{1,4}/g).join(" ");
}

/** "about 13 s left", or nothing where nobody knows. */
export function timeLeft(seconds) {
  return Number.isFinite(seconds) ? `about ${duration(seconds)} left` : "";
}

/** "maple_tree" → "maple tree". */
export function label(name) {
  return name.replaceAll("_", " ");
}
