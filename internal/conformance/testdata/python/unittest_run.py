import unittest, sys, io, subprocess, pathlib, re
from unittest import mock
class Account:
    def __init__(self, n=0): self.n = n
    def take(self, k):
        if k > self.n: raise ValueError("insufficient")
        self.n -= k; return self.n
class T(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.log = []
    def setUp(self): self.a = Account(10); self.addCleanup(self.log.append, self._testMethodName)
    def test_take(self): self.assertEqual(self.a.take(3), 7)
    def test_raises(self):
        with self.assertRaisesRegex(ValueError, "insuff"): self.a.take(11)
    def test_wrong(self): self.assertEqual([1, 2, {"a": 3}], [1, 2, {"a": 4}])
    def test_text(self): self.assertEqual("a\nb\nc", "a\nx\nc")
    def test_error(self): self.a.nothing()
    @unittest.skipIf(True, "no")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i): self.assertNotEqual(i, 1)
    def test_mock(self):
        with mock.patch("os.getcwd", return_value="/mocked") as g:
            import os
            self.assertEqual(os.getcwd(), "/mocked"); g.assert_called_once_with()
        m = mock.MagicMock(side_effect=[1, KeyError]); m(); self.assertRaises(KeyError, m)
    def test_logs(self):
        import logging
        with self.assertLogs("x", "INFO") as c: logging.getLogger("x").info("hi %s", 1)
        self.assertEqual(c.output, ["INFO:x:hi 1"])
class A(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self): import asyncio; await asyncio.sleep(0)
    async def test_async(self):
        m = mock.AsyncMock(return_value=5); self.assertEqual(await m(), 5)
out = io.StringIO()
r = unittest.TextTestRunner(out, verbosity=2).run(unittest.defaultTestLoader.loadTestsFromModule(sys.modules[__name__]))
print(re.sub(r"in [\d.]+s", "in Xs", re.sub(r'File ".*?"', 'File "F"', out.getvalue()))); print(r.wasSuccessful(), len(r.failures), len(r.errors), len(r.skipped), T.log)
pathlib.Path("tests").mkdir(); pathlib.Path("tests/__init__.py").touch(); pathlib.Path("tests/test_one.py").write_text("import unittest\nclass O(unittest.TestCase):\n def test_a(self): self.assertTrue(1)\n def test_b(self): self.assertIn(3, [1])\n")
r = subprocess.run([sys.executable, "-m", "unittest", "discover", "-s", "tests", "-t", ".", "-f"], capture_output=True, text=True); print(r.returncode, re.sub(r"in [\d.]+s", "in Xs", re.sub(r'File ".*?"', "F", r.stderr)))
r = subprocess.run([sys.executable, "-m", "unittest", "-v", "tests.test_one.O.test_a"], capture_output=True, text=True); print(r.returncode, re.sub(r"in [\d.]+s", "in Xs", r.stderr))
