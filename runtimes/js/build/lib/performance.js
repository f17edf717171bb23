// performance and its histograms.
'use strict';

const { native, bindings } = env;

const milestones = env.words(Float64Array, 8);
const names = ['TIME_ORIGIN_TIMESTAMP', 'TIME_ORIGIN', 'ENVIRONMENT', 'NODE_START', 'V8_START', 'LOOP_START', 'LOOP_EXIT', 'BOOTSTRAP_COMPLETE'];

// Since when performance.now() counts.
env.beginClock = () => {
  const t = native.hrtime();
  env.startTime = t;
  milestones.fill(t);
  milestones[0] = native.now() * 1e3;
  milestones[5] = milestones[6] = -1;
};

class Histogram {
  constructor() { this.list = []; this.missed = 0; }
  record(v) { this.list.push(Number(v)); }
  recordDelta() { const t = native.hrtime(); if (this.last) this.record(Math.floor(t - this.last)); this.last = t; }
  add(other) { this.list.push(...other.list); }
  reset() { this.list.length = 0; }
  sorted() { return [...this.list].sort((a, b) => a - b); }
  count() { return this.list.length; } countBigInt() { return BigInt(this.list.length); }
  exceeds() { return 0; } exceedsBigInt() { return 0n; }
  min() { return this.list.length ? Math.min(...this.list) : 9223372036854776000; } minBigInt() { return BigInt(this.min()); }
  max() { return this.list.length ? Math.max(...this.list) : 0; } maxBigInt() { return BigInt(this.max()); }
  mean() { return this.list.length ? this.list.reduce((a, b) => a + b, 0) / this.list.length : NaN; }
  stddev() { const m = this.mean(); return Math.sqrt(this.list.reduce((a, b) => a + (b - m) ** 2, 0) / this.list.length); }
  percentile(p) { const s = this.sorted(); return s[Math.max(0, Math.ceil(p / 100 * s.length) - 1)] ?? 0; }
  percentileBigInt(p) { return BigInt(this.percentile(p)); }
  percentiles(map) { for (const p of [0, 50, 75, 87.5, 93.75, 100]) map.set(p, this.percentile(p)); }
  percentilesBigInt(map) { for (const p of [0, 50, 75, 87.5, 93.75, 100]) map.set(p, this.percentileBigInt(p)); }
}

bindings.performance = () => {
  const constants = { NODE_PERFORMANCE_ENTRY_TYPE_GC: 0, NODE_PERFORMANCE_ENTRY_TYPE_HTTP: 1, NODE_PERFORMANCE_ENTRY_TYPE_HTTP2: 2,
    NODE_PERFORMANCE_ENTRY_TYPE_NET: 3, NODE_PERFORMANCE_ENTRY_TYPE_DNS: 4 };
  names.forEach((n, i) => { constants[`NODE_PERFORMANCE_MILESTONE_${n}`] = i; });
  return {
    constants, milestones, observerCounts: new Uint32Array(8), now: () => (native.hrtime() - milestones[1]) / 1e6,
    setupObservers() {}, installGarbageCollectionTracking() {}, removeGarbageCollectionTracking() {}, notify() {},
    loopIdleTime: () => 0, markBootstrapComplete() {}, uvMetricsInfo: () => [0, 0, 0], getTimeOrigin: () => milestones[1] / 1e6,
    getTimeOriginTimestamp: () => milestones[0] / 1e3, createELDHistogram() { const h = new Histogram(); h.start = h.stop = () => true; return h; },
    Histogram,
  };
};
