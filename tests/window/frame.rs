//! The window as the display has it: whether it can be seen, and the button that closes it.

use slipway_testkit::eventually;
use std::time::Duration;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, MapState, Window as WindowId,
};
use x11rb::rust_connection::RustConnection;

const PATIENCE: Duration = Duration::from_secs(60);

/// The display, looked at from outside of the application.
pub(crate) struct Display {
    connection: RustConnection,
    root: WindowId,
}

impl Display {
    pub(crate) fn connect(name: &str) -> Self {
        let (connection, screen) = x11rb::connect(Some(name)).unwrap();
        let root = connection.setup().roots[screen].root;
        Self { connection, root }
    }

    fn atom(&self, name: &str) -> u32 {
        self.connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// Returns the application's window: the one with its name that can be closed.
    fn window(&self) -> Option<WindowId> {
        let children = self.connection.query_tree(self.root).unwrap().reply().unwrap().children;
        children.into_iter().find(|window| {
            let name = self.connection.get_property(false, *window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64);
            let protocols =
                self.connection.get_property(false, *window, self.atom("WM_PROTOCOLS"), AtomEnum::ATOM, 0, 64);
            let name = name.unwrap().reply().map(|property| property.value).unwrap_or_default();
            let protocols = protocols.unwrap().reply().map(|property| property.value_len).unwrap_or_default();
            name == b"Slipway" && protocols > 0
        })
    }

    fn is_shown(&self) -> Option<bool> {
        let attributes = self.connection.get_window_attributes(self.window()?).unwrap().reply().ok()?;
        Some(attributes.map_state == MapState::VIEWABLE)
    }

    /// Waits until the window can be seen, or is there and cannot be seen.
    pub(crate) async fn window_is_shown(&self, wanted: bool) {
        let what = if wanted { "the window is shown" } else { "the window is hidden" };
        eventually(what, PATIENCE, async || {
            let shown = self.is_shown();
            if shown == Some(wanted) { Ok(()) } else { Err(shown) }
        })
        .await;
    }

    /// Does what the button in the window's frame does.
    pub(crate) fn close_window(&self) {
        let window = self.window().unwrap();
        let data = [self.atom("WM_DELETE_WINDOW"), x11rb::CURRENT_TIME, 0, 0, 0];
        let message = ClientMessageEvent::new(32, window, self.atom("WM_PROTOCOLS"), data);
        self.connection.send_event(false, window, EventMask::NO_EVENT, message).unwrap();
        self.connection.flush().unwrap();
    }

    /// Moves and resizes the window, as a person who drags its frame.
    pub(crate) fn resize_window(&self, width: u32, height: u32) {
        let window = self.window().unwrap();
        let size = x11rb::protocol::xproto::ConfigureWindowAux::new().width(width).height(height);
        self.connection.configure_window(window, &size).unwrap();
        self.connection.flush().unwrap();
    }

    /// Returns the size of the window.
    pub(crate) fn window_size(&self) -> Option<(u16, u16)> {
        let geometry = self.connection.get_geometry(self.window()?).unwrap().reply().ok()?;
        Some((geometry.width, geometry.height))
    }
}
