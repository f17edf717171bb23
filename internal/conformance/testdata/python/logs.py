import logging, logging.config, logging.handlers, json, pathlib, io, sys, warnings, contextlib, atexit, time, traceback, threading, os
logging.config.dictConfig({"version": 1, "disable_existing_loggers": False,
  "formatters": {"f": {"format": "%(levelname)s %(name)s:%(lineno)d %(funcName)s %(threadName)s %(message)s"}, "j": {"()": lambda: type("J", (logging.Formatter,), {"format": lambda s, r: json.dumps({"m": r.getMessage(), "l": r.levelname, **getattr(r, "ctx", {})})})()}},
  "filters": {"odd": {"()": lambda: lambda r: getattr(r, "n", 1) % 2 == 1}},
  "handlers": {"c": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "f", "filters": ["odd"]}, "r": {"class": "logging.handlers.RotatingFileHandler", "filename": "app.log", "maxBytes": 300, "backupCount": 2, "formatter": "j"}, "m": {"class": "logging.handlers.MemoryHandler", "capacity": 3, "target": "r", "flushLevel": "ERROR"}},
  "loggers": {"app": {"level": "DEBUG", "handlers": ["c", "m"], "propagate": False}, "app.noisy": {"level": "ERROR"}}, "root": {"level": "WARNING", "handlers": ["c"]}})
log = logging.getLogger("app.part")
def work():
    for n in range(6): log.info("step %d of %s", n, {"a": 1}, extra={"n": n, "ctx": {"req": n}})
    try: 1 / 0
    except ZeroDivisionError: log.exception("failed")
    logging.getLogger("app.noisy").warning("no"); logging.getLogger("other").info("no"); logging.warning("root %s", "warn")
work()
t = threading.Thread(target=lambda: log.warning("in thread"), name="T1"); t.start(); t.join()
logging.shutdown(); print(sorted(p.name for p in pathlib.Path(".").glob("app.log*")), len(pathlib.Path("app.log").read_text().splitlines()) > 0)
log.log(25, "between"); logging.addLevelName(25, "NOTE"); log.log(25, "named"); print(log.getEffectiveLevel(), log.isEnabledFor(5), logging.getLevelName("NOTE"))
a = logging.LoggerAdapter(log, {"user": "u"}); a.info("adapted")
logging.captureWarnings(True); warnings.warn("careful"); logging.captureWarnings(False)
with warnings.catch_warnings(record=True) as w: warnings.simplefilter("always"); warnings.warn("dep", DeprecationWarning); print(w[0].category.__name__, w[0].message)
o = io.StringIO()
with contextlib.redirect_stdout(o): print("captured"); os.write(1, b"")
print(repr(o.getvalue()), contextlib.suppress(KeyError).__class__.__name__); 
with contextlib.ExitStack() as s: [s.callback(print, "exit", i) for i in range(3)]
