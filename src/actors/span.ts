/** How a length of time is written for people: short, and no more exact than is of use. */

/** As in "0.3 s", "95 s", "12 min", "5 h" or "3 days". */
export function formatSpan(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
