using BenchmarkDotNet.Running;
using Portico.Benchmarks;

// Without arguments everything runs; with some, they are BenchmarkDotNet's: --filter '*Judge*', --list flat, --job medium.
BenchmarkSwitcher.FromAssembly(typeof(ShortRun).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args, new ShortRun());
