namespace Portico.Core.Net;

/// <summary>Something to be run once in the next turn of a loop: a continuation, or a session that used up its read budget.</summary>
internal interface ILoopTask
{
    /// <summary>Runs on the loop, with no event handler below it on the stack.</summary>
    void Run();

    /// <summary><see cref="Run"/> threw: the session behind the task ends with <c>internal_error</c>, the loop goes on.</summary>
    void OnFault(Exception error);
}
