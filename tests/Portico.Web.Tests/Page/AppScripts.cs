namespace Portico.Web.Tests.Page;

/// <summary>
/// What apps put between themselves and the page. To the app there is text: h (there), f (broken), c and text, b and base64, o and JSON,
/// a and a number. Of the app's there is <c>fromApp(text, isControl)</c>.
/// </summary>
internal static class AppScripts
{
    /// <summary>Defined before the page's own script.</summary>
    public static string Injected(AppKind kind, string bridge) => $$"""
        if (window === top && location.origin === new URL('{{bridge}}').origin) {
          {{Codec}}
          const home = '{{bridge}}'.split('?')[0];
          // An app looks where each message comes from.
          const native = text => toApp(location.href === home || text === 'h' ? text : 'f' + location.href);
          {{(kind is AppKind.Android or AppKind.AndroidOfText ? Android(kind == AppKind.AndroidOfText) : Desktop)}}
        }
        """;

    /// <summary>The page of the app's that frames ours, where it is not a WebView.</summary>
    /// <param name="bridge">Ours.</param>
    /// <param name="isByHand">It leaves to the test what it says first.</param>
    public static string Frame(string bridge, bool isByHand) => $$"""
        <!DOCTYPE html><html><body><script>
          {{Codec}}
          const frame = document.createElement('iframe'), channel = new MessageChannel();
          let loads = 0;
          frame.setAttribute('sandbox', 'allow-scripts allow-same-origin');
          frame.referrerPolicy = 'no-referrer';
          window.send = (message, ports = []) => frame.contentWindow.postMessage(message, new URL('{{bridge}}').origin, ports);
          frame.onload = () => {
            if (++loads > 1) return toApp('f loaded again');
            if ({{(isByHand ? "false" : "true")}}) send({t: 'tproxy-init', v: 1}, [channel.port2]);
            toApp('h');
          };
          channel.port1.onmessage = event => {
            if (event.data instanceof ArrayBuffer) toApp('b' + encode(event.data));
            else toApp(typeof event.data === 'object' ? 'o' + JSON.stringify(event.data) : 'f neither bytes nor an object');
          };
          window.fromApp = (text, isControl) => {
            const message = isControl ? JSON.parse(text) : decode(text);
            channel.port1.postMessage(message, isControl ? [] : [message]);
          };
          frame.src = '{{bridge}}';
          document.body.append(frame);
        </script></body></html>
        """;

    private const string Codec = """
        const encode = buffer => {
          const bytes = new Uint8Array(buffer);
          let text = '';
          for (let i = 0; i < bytes.length; i += 16384) text += String.fromCharCode(...bytes.subarray(i, i + 16384));
          return btoa(text);
        };
        const decode = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0)).buffer;
        """;

    // Frozen, with numbers on what it delivers, which are acknowledged when the page has returned.
    private const string Desktop = """
        let handler = null, delivered = 0;
        window.TelegramWebProxy = Object.freeze({
          postMessage(value) {
            if (typeof value === 'string') native('c' + value);
            else native(value instanceof ArrayBuffer ? 'b' + encode(value) : 'f neither bytes nor text');
          },
          get onmessage() { return handler; },
          set onmessage(value) {
            if (handler) native('f assigned again');
            handler = value;
          },
        });
        window.fromApp = (text, isControl) => {
          try {
            handler({data: isControl ? text : decode(text)});
            native('a' + ++delivered);
          } catch (error) {
            native('f' + error);
          }
        };
        native('h');
        """;

    private static string Android(bool isOfText) => $$"""
        const takesBytes = {{(isOfText ? "false" : "true")}};
        window.TelegramWebProxy = {
          onmessage: null,
          postMessage(value) {
            if (typeof value === 'string')
              native(value.startsWith('tproxy-base64:') ? 'b' + value.slice(14) : 'c' + value);
            else if (takesBytes && value instanceof ArrayBuffer) native('b' + encode(value));
            else native('f not for this WebView');
          },
        };
        window.fromApp = (text, isControl) => {
          try {
            if (isControl) TelegramWebProxy.onmessage({data: text});
            else TelegramWebProxy.onmessage({data: takesBytes ? decode(text) : 'tproxy-base64:' + text});
          } catch (error) {
            native('f' + error);
          }
        };
        window.wrap = () => {
          const post = TelegramWebProxy.postMessage, receive = TelegramWebProxy.onmessage;
          TelegramWebProxy.postMessage = value => post(value instanceof ArrayBuffer ? 'tproxy-base64:' + encode(value) : value);
          TelegramWebProxy.onmessage = event =>
            receive({data: event.data.startsWith('tproxy-base64:') ? decode(event.data.slice(14)) : event.data});
        };
        native('h');
        """;
}
