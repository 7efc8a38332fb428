using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

#pragma warning disable CA1822 // The compiler calls Start and SetStateMachine on an instance.

namespace Portico.Core.Net;

/// <summary>
/// Builds the value tasks of code that runs on loops. What a waiting method keeps is pooled per
/// thread and kind of method, as many as a burst used: the runtime's own pooling builder keeps one,
/// and a thousand clients who come at a time would leave a thousand of each to the collector.
/// </summary>
internal struct StepMethodBuilder<TResult>
{
    private Box? _box;
    private TResult _result;

    /// <summary>What waits; null while nothing had to.</summary>
    public readonly Box? Waiting => _box;

    /// <summary>Of what the caller awaits.</summary>
    public readonly ValueTask<TResult> Task => _box is null ? new(_result) : new(_box, _box.Version);

    public static StepMethodBuilder<TResult> Create() => default;

    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public void SetResult(TResult result)
    {
        if (_box is null) _result = result;
        else _box.SetResult(result);
    }

    public void SetException(Exception error)
    {
        _box ??= new Box();
        _box.SetException(error);
    }

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.OnCompleted(Keep(ref stateMachine).MoveNext);

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.UnsafeOnCompleted(Keep(ref stateMachine).MoveNext);

    // The state machine has this builder in it: the box must be in place before it is copied there.
    private Box Keep<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        if (_box is not null) return _box;
        var box = StepBoxes.Store<MethodBox<TStateMachine>>.Here.Rent();
        _box = box;
        box.StateMachine = stateMachine;
        return box;
    }

    /// <summary>The result of a method, once it had to wait.</summary>
    internal class Box : IValueTaskSource<TResult>, IValueTaskSource
    {
        private ManualResetValueTaskSourceCore<TResult> _core;

        public short Version => _core.Version;

        public Action MoveNext { get; protected init; } = static () => { };

        public void SetResult(TResult result) => _core.SetResult(result);

        public void SetException(Exception error) => _core.SetException(error);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);

        void IValueTaskSource.GetResult(short token) => GetResult(token);

        public TResult GetResult(short token)
        {
            try
            {
                return _core.GetResult(token);
            }
            finally
            {
                _core.Reset();
                Return();
            }
        }

        protected virtual void Return()
        {
        }
    }

    /// <summary>The same with all that the method needs to go on.</summary>
    private sealed class MethodBox<TStateMachine> : Box
        where TStateMachine : IAsyncStateMachine
    {
        public TStateMachine? StateMachine;

        public MethodBox() => MoveNext = () => StateMachine!.MoveNext();

        protected override void Return()
        {
            StateMachine = default;
            StepBoxes.Store<MethodBox<TStateMachine>>.Here.Return(this);
        }
    }
}

/// <summary>The same for methods without a result.</summary>
internal struct StepMethodBuilder
{
    private StepMethodBuilder<bool> _inner;

    /// <summary>Of what the caller awaits.</summary>
    public readonly ValueTask Task => _inner.Waiting is { } box ? new(box, box.Version) : default;

    public static StepMethodBuilder Create() => default;

    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    public readonly void SetStateMachine(IAsyncStateMachine stateMachine)
    {
    }

    public void SetResult() => _inner.SetResult(true);

    public void SetException(Exception error) => _inner.SetException(error);

    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine => _inner.AwaitOnCompleted(ref awaiter, ref stateMachine);

    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine => _inner.AwaitUnsafeOnCompleted(ref awaiter, ref stateMachine);
}
