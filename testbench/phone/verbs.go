package phone

import (
	"context"
	"fmt"
)

// Hangup ends a call as its state demands: BYE, CANCEL, or a rejection with 480.
// It waits until the other end has answered. A call that has ended already is no
// error.
func (c *Call) Hangup(ctx context.Context) error {
	switch s := c.State(); {
	case s == Ended:
		return nil
	case s >= Answered:
		err := c.bye(ctx)
		c.end(Ending{By: ByUs})
		return err
	case c.outgoing:
		return c.Cancel(ctx)
	}
	return c.Reject(480)
}

func (c *Call) bye(ctx context.Context) error {
	m, hop := c.request("BYE")
	final, err := c.phone.do(ctx, m, hop)
	switch {
	case err != nil:
		return fmt.Errorf("BYE: %w", err)
	case final.code >= 300:
		return fmt.Errorf("BYE: %w", &StatusError{Code: final.code, Reason: final.reason})
	}
	return nil
}

// SendInfo sends an INFO, for example a digit as application/dtmf-relay.
func (c *Call) SendInfo(ctx context.Context, contentType, body string) error {
	m, hop := c.request("INFO")
	m.setBody(contentType, []byte(body))
	final, err := c.phone.do(ctx, m, hop)
	switch {
	case err != nil:
		return fmt.Errorf("INFO: %w", err)
	case final.code >= 300:
		return fmt.Errorf("INFO: %w", &StatusError{Code: final.code, Reason: final.reason})
	}
	return nil
}

// Ask sends a request without a body within the dialog. A refusal is a
// *StatusError.
func (c *Call) Ask(ctx context.Context, method string) error {
	m, hop := c.request(method)
	final, err := c.phone.do(ctx, m, hop)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", method, err)
	case final.code >= 300:
		return fmt.Errorf("%s: %w", method, &StatusError{Code: final.code, Reason: final.reason})
	}
	return nil
}
