// Numbers for people.

const NARROW = "\u202f";

/** Milliseconds as `8 ms`, `340 ms` or `1.9 s`. */
export function duration(milliseconds) {
  const size = Math.abs(milliseconds);
  if (size >= 999.5) return amount(milliseconds / 1000, 1, "s");
  return amount(milliseconds, size < 9.95 && size % 1 >= 0.05 ? 1 : 0, "ms");
}

/** Bytes as `812 B`, `12.4 kB` or `94 MB`. */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${count.toFixed(unit === 0 || count >= 100 ? 0 : 1)}${NARROW}${units[unit]}`;
}

/** A count as `11.8 M` or `240 k`. */
export function count(number) {
  if (number >= 1e9) return `${(number / 1e9).toFixed(1)}${NARROW}B`;
  if (number >= 1e6) return `${(number / 1e6).toFixed(1)}${NARROW}M`;
  if (number >= 1e4) return `${(number / 1e3).toFixed(0)}${NARROW}k`;
  return String(number);
}

/** A number with its unit. */
export function amount(number, digits, unit) {
  return `${number.toFixed(digits).replace("-", "−")}${NARROW}${unit}`;
}

/** A part of a whole as `93 %`. */
export function percent(part, digits = 0) {
  return amount(part * 100, digits, "%");
}

/** Kilobits a second as `700 kb/s` or `2 Mb/s`. */
export function bandwidth(kilobits) {
  if (kilobits < 1000) return amount(kilobits, 0, "kb/s");
  return amount(kilobits / 1000, kilobits % 1000 === 0 || kilobits >= 10_000 ? 0 : 1, "Mb/s");
}

/** `1 token`, `2 tokens`. */
export function plural(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
