// Regular expressions and dates: summarises the log of a web server. Only UTC, and never the present.

const LINE =
  /^(?<ip>\d{1,3}(?:\.\d{1,3}){3}) \S+ (?<user>\S+) \[(?<time>[^\]]+)\] "(?<method>[A-Z]+) (?<path>[^ "?]*)(?<query>\?[^ "]*)? HTTP\/[\d.]+" (?<status>\d{3}) (?<bytes>\d+|-)$/gm;

const TIME = /^(\d{2})\/(\w{3})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

// "21/Nov/2026:23:59:58 +0100", as web servers write it.
function parseTime(text) {
  const [, day, month, year, hour, minute, second, sign, zoneHours, zoneMinutes] = TIME.exec(text);
  const local = Date.UTC(+year, MONTHS.indexOf(month), +day, +hour, +minute, +second);
  const zone = (+zoneHours * 60 + +zoneMinutes) * 60000;
  return new Date(sign === "+" ? local - zone : local + zone);
}

function addMonths(date, n) {
  const result = new Date(date);
  result.setUTCMonth(result.getUTCMonth() + n);
  return result;
}

function isoWeek(date) {
  const thursday = new Date(date);
  thursday.setUTCDate(date.getUTCDate() + 4 - (date.getUTCDay() || 7));
  const newYear = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  return Math.ceil(((thursday - newYear) / 86400000 + 1) / 7);
}

function slug(title) {
  return title
    .normalize("NFD")
    .replace(/\p{Mn}+/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-|-$/g, "");
}

function summarise(log) {
  const days = {};
  for (const { groups } of log.matchAll(LINE)) {
    const time = parseTime(groups.time);
    const day = (days[time.toISOString().slice(0, 10)] ??= {
      weekday: WEEKDAYS[time.getUTCDay()],
      week: isoWeek(time),
      requests: 0,
      bytes: 0,
      failures: [],
    });
    day.requests++;
    day.bytes += Number(groups.bytes) || 0;
    if (/^[45]/.test(groups.status)) {
      day.failures.push(`${groups.method} ${decodeURIComponent(groups.path)} ${groups.status}`);
    }
  }
  return days;
}

export function handler({ log, titles, text, leapDay }) {
  const leap = new Date(leapDay);
  return {
    days: summarise(log),
    unreadable: log.split("\n").filter((line) => line && line.search(LINE) < 0),
    slugs: titles.map(slug),
    redacted: text
      .replace(/(?<=^|\s)[\w.+-]+@(?<domain>[\w-]+(?:\.[\w-]+)+)/g, (...match) => `…@${match.at(-1).domain}`)
      .replace(/(?<!\d)(\d{4})[ -]?\d{4}[ -]?\d{4}[ -]?(\d{4})(?!\d)/g, "$1 **** **** $2"),
    repeated: text.match(/\b(\p{L}+) \1\b/giu),
    dates: [
      leap.toISOString(),
      addMonths(leap, 12).toISOString(),
      new Date(leap - 1).toUTCString(),
      JSON.stringify(new Date(NaN)),
      Date.parse("2026-11-22T10:30:00+05:30"),
      new Date(-1).toJSON(),
    ],
  };
}
