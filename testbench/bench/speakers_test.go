package bench_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// speakers are the sound of the far ends: one socket for all callers, one for the
// trunk's side of all calls.
type speakers struct{ callers, trunk *speaker }

func openSpeakers() (*speakers, error) {
	callers, err := openSpeaker()
	if err != nil {
		return nil, err
	}
	trunk, err := openSpeaker()
	return &speakers{callers, trunk}, err
}

func (s *speakers) forget() {
	s.callers.forget()
	s.trunk.forget()
}

// speak has both sides of every call that is up send so many packets, at the pace
// of a conversation.
func (s *speakers) speak(packets int) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := range packets {
		s.callers.send(uint32(i))
		s.trunk.send(uint32(i))
		<-tick.C
	}
	return nil
}

// speaker is a socket that speaks in many calls. What it hears is not read.
type speaker struct {
	conn *net.UDPConn

	mu sync.Mutex
	to []*net.UDPAddr
}

func openSpeaker() (*speaker, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	return &speaker{conn: conn}, err
}

// sound describes the stream of the speaker.
func (s *speaker) sound() string {
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n",
		s.conn.LocalAddr().(*net.UDPAddr).Port)
}

// hears remembers where a description of the switch wants its sound.
func (s *speaker) hears(message []byte) {
	_, rest, _ := bytes.Cut(message, []byte("m=audio "))
	text, _, _ := bytes.Cut(rest, []byte(" "))
	port, err := strconv.Atoi(string(text))
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = append(s.to, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
}

func (s *speaker) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = nil
}

// send sends the n-th packet of PCMU in every call.
func (s *speaker) send(n uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	packet := make([]byte, 12+160)
	packet[0] = 0x80
	binary.BigEndian.PutUint16(packet[2:], uint16(n))
	binary.BigEndian.PutUint32(packet[4:], 160*n)
	for i, to := range s.to {
		binary.BigEndian.PutUint32(packet[8:], uint32(i))
		_, _ = s.conn.WriteTo(packet, to)
	}
}
