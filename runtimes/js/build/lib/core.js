// Bindings that are small: what the build is, symbols, errors, credentials, and empty ones.
'use strict';

const { native, process, primordials, privateSymbols, perIsolateSymbols, bindings } = env;

bindings.builtins = () => ({
  builtinIds: env.ids,
  compileFunction: (id) => env.compileBuiltin(id),
  setInternalLoaders(internalBinding, require) {
    env.internalBinding = internalBinding;
    env.require = require;
  },
  hasCachedBuiltins: () => true,
  natives: { __proto__: null, get configs() { return '{}'; } },
  builtinCategories: { canBeRequired: env.ids, cannotBeRequired: [] },
  config: '{"target_defaults":{"cflags":[],"default_configuration":"Release","defines":[],"include_dirs":[],' +
    '"libraries":[]},"variables":{"napi_build_version":"9","node_shared":false,"v8_enable_i18n_support":1}}',
});

bindings.config = () => ({
  isDebugBuild: false, hasOpenSSL: 'newHash' in native, openSSLIsBoringSSL: false, fipsMode: false, hasIntl: true,
  hasSmallICU: false, hasTracing: false, hasNodeOptions: true, noBrowserGlobals: false, hasInspector: false, bits: 32,
  getDefaultLocale: () => 'en-US',
});

bindings.symbols = () => {
  const s = { __proto__: null };
  for (const name of Object.keys(perIsolateSymbols)) s[name] = perIsolateSymbols[name];
  s.handle_onclose = s.handle_onclose_symbol;
  s.oninit = s.oninit_symbol;
  s.onpskexchange = s.onpskexchange_symbol;
  return s;
};

const triggerUncaught = (error, fromPromise) => env.uncaught(error, fromPromise);

bindings.errors = () => ({
  setPrepareStackTraceCallback(f) { env.prepareStackTrace = f; },
  setGetSourceMapErrorSource() {},
  setSourceMapsEnabled() {},
  setMaybeCacheGeneratedSourceMap() {},
  setEnhanceStackForFatalException(before, after) { env.enhanceBefore = before; env.enhanceAfter = after; },
  noSideEffectsToString(value) {
    try {
      return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value);
    } catch {
      return '[object]';
    }
  },
  triggerUncaughtException: triggerUncaught,
  exitCodes: {
    kNoFailure: 0, kGenericUserError: 1, kInternalJSParseError: 3, kInternalJSEvaluationFailure: 4, kV8FatalError: 5,
    kInvalidFatalExceptionMonkeyPatching: 6, kExceptionInFatalExceptionHandler: 7, kUnsettledTopLevelAwait: 13,
    kUnfinishedTopLevelAwait: 13, kInvalidCommandLineArgument: 9, kBootstrapFailure: 10,
    kInvalidCommandLineArgument2: 12, kStartupSnapshotFailure: 14, kAbort: 134,
  },
});

bindings.credentials = () => ({
  safeGetenv: (key) => process.env[key], implementsPosixCredentials: true, getTempDir: () => '/tmp',
  getuid: () => native.uid(), geteuid: () => native.uid(), getgid: () => native.gid(), getegid: () => native.gid(),
  getgroups: () => [native.gid()],
  initgroups: () => 1, setgroups: () => 1, setuid: () => 1, seteuid: () => 1, setgid: () => 1, setegid: () => 1,
});

bindings.mksnapshot = () => ({
  setSerializeCallback() {}, setDeserializeCallback() {}, setDeserializeMainFunction() {}, runEmbedderPreload() {},
  compileSerializeMain() {}, isBuildingSnapshotBuffer: new Uint8Array(1), anonymousMainPath: '__node_anonymous_main',
});
bindings.report = () => ({
  shouldReportOnUncaughtException: () => false, writeReport() {}, getReport: () => '{}', getCompact: () => false,
  setCompact() {}, getDirectory: () => '', setDirectory() {}, getFilename: () => '', setFilename() {},
  getSignal: () => 'SIGUSR2', setSignal() {}, shouldReportOnFatalError: () => false, setReportOnFatalError() {},
  shouldReportOnSignal: () => false, setReportOnSignal() {}, setReportOnUncaughtException() {}, getExcludeNetwork: () => false,
});
bindings.permission = () => ({ has: () => true });
bindings.wasm_web_api = () => ({ setImplementation() {} });
bindings.sea = () => ({ isSea: () => false, isExperimentalSeaWarningNeeded: () => false, getAsset() {} });
bindings.policy = () => ({});
bindings.profiler = () => ({ setCoverageDirectory() {}, setSourceMapCacheGetter() {}, takeCoverage() {}, stopCoverage() {} });
bindings.heap_utils = () => ({ buildEmbedderGraph: () => [], createHeapSnapshotStream() {}, triggerHeapSnapshot() {} });
bindings.watchdog = () => ({ TraceSigintWatchdog: class { start() {} stop() {} } });
bindings.internal_only_v8 = () => ({ queryObjects: () => [] });
bindings.wasi = () => ({ WASI: class WASI {} });
bindings.js_udp_wrap = () => ({ JSUDPWrap: class {} });
bindings.stream_pipe = () => ({ StreamPipe: class StreamPipe {} });

bindings.worker = () => ({
  isMainThread: true, isInternalThread: false, ownsProcessState: true, threadId: 0, resourceLimits: new Float64Array(4),
  getEnvMessagePort: () => undefined, kMaxYoungGenerationSizeMb: 0, kMaxOldGenerationSizeMb: 1, kCodeRangeSizeMb: 2,
  kStackSizeMb: 3, kTotalResourceLimitCount: 4,
  Worker: class Worker {
    constructor() {
      const { codes: { ERR_FEATURE_UNAVAILABLE_ON_PLATFORM } } = env.require('internal/errors');
      throw new ERR_FEATURE_UNAVAILABLE_ON_PLATFORM('worker_threads.Worker');
    }
  },
});

const heapStatistics = new Float64Array(14), heapSpaces = new Float64Array(5);
bindings.v8 = () => ({
  cachedDataVersionTag: () => 0x42454c4c, setFlagsFromString() {}, setHeapSnapshotNearHeapLimit() {}, isStringOneByteRepresentation: () => false,
  updateHeapStatisticsBuffer() {
    heapStatistics.fill(native.memoryUsage());
    heapStatistics[5] = 2 ** 29;
  },
  updateHeapSpaceStatisticsBuffer() {
    const used = native.memoryUsage();
    heapSpaces.set([used, used, 0, used]);
  },
  updateHeapCodeStatisticsBuffer() {},
  heapStatisticsBuffer: heapStatistics, heapCodeStatisticsBuffer: new Float64Array(4),
  heapSpaceStatisticsBuffer: heapSpaces, kHeapSpaces: ['new_space'], startupSnapshot: {},
  kSpaceSizeIndex: 0, kSpaceUsedSizeIndex: 1, kSpaceAvailableSizeIndex: 2, kPhysicalSpaceSizeIndex: 3, GCProfiler: class GCProfiler {},
  kTotalHeapSizeIndex: 0, kTotalHeapSizeExecutableIndex: 1, kTotalPhysicalSizeIndex: 2, kTotalAvailableSize: 3,
  kUsedHeapSizeIndex: 4, kHeapSizeLimitIndex: 5, kMallocedMemoryIndex: 6, kPeakMallocedMemoryIndex: 7, kDoesZapGarbageIndex: 8,
  kNumberOfNativeContextsIndex: 9, kNumberOfDetachedContextsIndex: 10, kTotalGlobalHandlesSizeIndex: 11,
  kUsedGlobalHandlesSizeIndex: 12, kExternalMemoryIndex: 13, kCodeAndMetadataSizeIndex: 0, kBytecodeAndMetadataSizeIndex: 1,
  kExternalScriptSourceSizeIndex: 2, kCPUProfilerMetaDataSizeIndex: 3,
});

bindings.os = () => ({
  getAvailableParallelism: () => 1, getCPUs: () => ['wasm', 1000, 0, 0, 0, 0, 0], getFreeMem: () => 2 ** 29,
  getTotalMem: () => 2 ** 30, getHomeDirectory: () => process.env.HOME || '/home/user', getHostname: () => 'belljar',
  getInterfaceAddresses: () => ['lo', '127.0.0.1', '255.0.0.0', 'IPv4', '00:00:00:00:00:00', true, -1],
  getLoadAvg(a) { a[0] = a[1] = a[2] = 0; }, getOSInformation: () => ['Linux', '#1', '6.1.0', 'x86_64'],
  getPriority: () => 0, setPriority: () => 0, getUptime: () => native.hrtime() / 1e9, isBigEndian: false,
  getUserInfo: () => ({
    uid: native.uid(), gid: native.gid(), username: process.env.USER || 'user',
    homedir: process.env.HOME || '/home/user', shell: process.env.SHELL || '/bin/sh',
  }),
});
